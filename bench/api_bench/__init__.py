"""The parts of `bench/api.py`: a filled record, an API process, a driver, figures."""
