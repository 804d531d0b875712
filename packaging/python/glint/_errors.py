"""What the library refuses, as exceptions: one for each of its error codes."""


class Error(Exception):
    """What every call of Glint raises; its text names the place and the offending value."""


class InvalidArgumentError(Error, ValueError):
    """Options, sizes or arrays that no call takes."""


class NotFoundError(Error, FileNotFoundError):
    """A file that does not exist or cannot be opened."""


class FileError(Error, OSError):
    """Reading or writing failed midway."""


class BadModelError(Error, ValueError):
    """A model file that breaks its rules."""


class BadStreamError(Error, ValueError):
    """A damaged or truncated stream."""


class WrongModelError(Error, ValueError):
    """A sound stream that was made with another model."""


class BadImageError(Error, ValueError):
    """A picture file that cannot be read."""


class LimitError(Error, MemoryError):
    """A limit on pixels or memory would be exceeded.

    memory_needed: the Limits.max_memory that would do; 0 where nobody knows, or where it is not
    memory that is short.
    """

    memory_needed = 0


class UnsupportedError(Error, NotImplementedError):
    """Sound, but not within what this build does."""


class CancelledError(Error):
    """A callback returned False."""


class UnreachableError(Error, ValueError):
    """A size or PSNR that no rate of the model gives."""


# By the value of glint::ErrorCode; the compiled part makes them.
CLASSES = (
    Error,
    InvalidArgumentError,
    NotFoundError,
    FileError,
    BadModelError,
    BadStreamError,
    WrongModelError,
    BadImageError,
    LimitError,
    UnsupportedError,
    CancelledError,
    UnreachableError,
)
