"""The oracle, the long way: a guest's memory after n operations, computed from nothing but its configuration."""

import os

import numpy as np

from guest_agent.config import GuestConfig
from guest_agent.memory.fill import fill
from guest_agent.memory.program import Ahead, Memory, Program
from guest_agent.memory.ram import ExecutionState, read_state, write_state
from testbed.core.units import PAGE_SIZE


def replay(config: GuestConfig, operations: int) -> Memory:
    """All of RAM, shape (pages, 512) of u64, after so many operations from the first fill."""
    memory = np.zeros((config.pages, PAGE_SIZE // 8), np.uint64)
    fill(memory, config)
    redo(Program(config), memory, 0, operations)
    write_state(memory.data.cast("B"), config, operations)
    return memory


def redo(program: Program, memory: Memory, first: int, until: int) -> None:
    """Carries operations ``first`` to ``until`` out on a copy of all RAM; does not touch the state."""
    Ahead(program, memory).run(first, until - first)


def read_state_of(ram_fd: int) -> ExecutionState:
    """The state of the guest whose RAM this descriptor is."""
    return read_state(os.pread(ram_fd, PAGE_SIZE, 0))
