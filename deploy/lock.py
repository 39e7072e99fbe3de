"""Writes the hashes of all that requirements.txt installs on this machine: python deploy/lock.py > requirements.lock

What pip finds now is what it will take later: `pip install --require-hashes -r requirements.lock` refuses any other
file, on every machine of the same platform and Python. For another platform, run this there.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        subprocess.run([*command, "--report", report.name, "-r", ROOT / "requirements.txt"], check=True)
        found = json.load(report)["install"]
    lines = sorted(
        f"{each['metadata']['name']}=={each['metadata']['version']}"
        f" --hash=sha256:{each['download_info']['archive_info']['hashes']['sha256']}"
        for each in found
    )
    header = f"# requirements.txt for {sysconfig.get_platform()}, Python {sys.version_info[0]}.{sys.version_info[1]}"
    sys.stdout.write("\n".join([header, *lines, ""]))


if __name__ == "__main__":
    main()
