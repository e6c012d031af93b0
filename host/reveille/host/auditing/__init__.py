"""What the field says about silent errors: audits, judged by the back end."""
