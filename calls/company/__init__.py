"""The company as one reviewable file: load() writes what it says into the database, dump() writes it down again.

What a file does not name is left alone: departments, extensions, also single settings (a new department gets the
model's default). `prune` disables the extensions, departments and switches that a named section leaves out.
Sections: switches, extensions, holidays (of all departments), departments. Settings are named as in the models.
"""

from calls.company.changes import make_default, set_agents
from calls.company.dumping import dump, dump_text
from calls.company.file import CompanyError
from calls.company.loading import Report, load, load_text

__all__ = ["CompanyError", "Report", "dump", "dump_text", "load", "load_text", "make_default", "set_agents"]
