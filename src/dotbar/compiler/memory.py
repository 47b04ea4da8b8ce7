"""The arena: blocks taken and given back while the code is planned -> offsets in one piece of memory, and its size."""

from bisect import insort

ALIGNMENT = 64


class Arena:
    """Free blocks in the order of their offsets; the first that is large enough is taken."""

    def __init__(self) -> None:
        self.size = 0
        self.free: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        """The offset of a new block."""
        size = rounded(size)
        for k, (start, length) in enumerate(self.free):
            if length >= size:
                self.free[k : k + 1] = [(start + size, length - size)] if length > size else []
                return start
        if self.free and sum(self.free[-1]) == self.size:
            start, _ = self.free.pop()
        else:
            start = self.size
        self.size = start + size
        return start

    def give(self, start: int, size: int) -> None:
        """Give a block back; neighbouring free blocks become one."""
        insort(self.free, (start, rounded(size)))
        joined: list[tuple[int, int]] = []
        for block in self.free:
            if joined and sum(joined[-1]) == block[0]:
                joined[-1] = (joined[-1][0], joined[-1][1] + block[1])
            else:
                joined.append(block)
        self.free = joined


def rounded(size: int) -> int:
    """A size as a whole number of vector registers."""
    return -(-max(size, 1) // ALIGNMENT) * ALIGNMENT
