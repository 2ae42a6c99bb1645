"""Seeded organisations with a known change in spend; `generate_case` makes one."""

from evals.rca.generator.draw_world import Size
from evals.rca.generator.generate import Switch, generate_case, generate_switch
from evals.rca.generator.kinds import KINDS

__all__ = ["KINDS", "Size", "Switch", "generate_case", "generate_switch"]
