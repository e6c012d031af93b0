"""Design rules: the operating point of least energy that keeps silent errors within a bound.

`designs` says what there is to choose, `counting` what each choice does to real beats, `search`
what it costs and which is best, and `findings` what that rests on.
"""
