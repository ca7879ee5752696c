"""How fast the API answers with many bots on record: `python bench/api.py --json`.

An embedded PostgreSQL is filled through the real schema, one API process is started, and another
process asks it open-loop over loopback: each request has its time, and a late answer delays no
later one, so that latency counts from when a request was due. The last line is one JSON object;
which goals were missed is said on stderr, and is exit code 1 with `--strict`.
"""

from api_bench.run import main

if __name__ == "__main__":
    main()
