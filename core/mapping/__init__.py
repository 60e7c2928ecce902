"""The mapping language: from native records to enrollments, declared in TOML and JMESPath.

`load` reads and checks a mapping, `compile` makes it ready, `Normalizer.normalize` maps a record.
docs/mappings.md describes the language.
"""

from .catalog import FUNCTIONS, functions_table
from .compile import compile, compile_expression
from .definition import Definition, Entry, Ladder, Rule, Shape, Watch
from .functions import FunctionDoc, Parameter
from .load import load
from .normalizer import Normalizer
from .results import Drift, Flaw, Mapped, Rejected, Skipped

__all__ = [
    "FUNCTIONS",
    "Definition",
    "Drift",
    "Entry",
    "Flaw",
    "FunctionDoc",
    "Ladder",
    "Mapped",
    "Normalizer",
    "Parameter",
    "Rejected",
    "Rule",
    "Shape",
    "Skipped",
    "Watch",
    "compile",
    "compile_expression",
    "functions_table",
    "load",
]
