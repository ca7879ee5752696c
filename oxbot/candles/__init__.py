"""Candle files: read, checked and written exactly, without an exchange and without a server.

Candles live in one Parquet file for each symbol and candle length (`parquet`); text files are
read in the forms that people have (`csv_files`). A row is either possible or named with its
file, its line and what is wrong (`faults`): nothing is repaired, rounded or filled.
"""
