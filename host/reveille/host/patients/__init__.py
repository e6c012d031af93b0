"""Digital patients: synthetic annotated ECG from small models of the records of MIT-BIH."""

from reveille.host.patients.fit import fit_patient, fit_patients
from reveille.host.patients.model import PatientModel, PatientModelError, PatientModels
from reveille.host.patients.write import digital_record, original_record, write_patients

__all__ = [
    "PatientModel",
    "PatientModelError",
    "PatientModels",
    "digital_record",
    "fit_patient",
    "fit_patients",
    "original_record",
    "write_patients",
]
