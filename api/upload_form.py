"""The form by which a file is uploaded: some fields, and one file that goes on while it arrives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.multipart import read_parts
from routing.errors import BodyTooLarge, InvalidRequest

_LONGEST_VALUE = 2000
_LONGEST_FILENAME = 255


@dataclass(frozen=True, slots=True)
class Form:
    """The form's fields, and its file's name and size."""

    fields: dict[str, str]
    filename: str
    bytes: int


def read_form(pieces: Iterator[bytes], boundary: bytes, into: Callable[[bytes], object], most_bytes: int) -> Form:
    """The form in `pieces`; what its part `file` holds is given to `into`, up to `most_bytes`.

    InvalidRequest or BodyTooLarge says what is wrong with it, and may come when some of the file was given already.
    """
    form = _Form(into, most_bytes)
    read_parts(pieces, boundary, form)
    return form.whole()


class _Form:
    """A form as far as it has come."""

    def __init__(self, into: Callable[[bytes], object], most_bytes: int) -> None:
        self._into = into
        self._most_bytes = most_bytes
        self._fields: dict[str, str] = {}
        self._filename: str | None = None
        self._file_bytes = 0
        # The field that is being read; None: it is the file.
        self._field: str | None = None
        self._value = b""

    def begin(self, name: str, filename: str | None) -> None:
        """A part of the form."""
        if filename is not None:
            self._begin_file(name, filename)
        elif name == "file":
            raise InvalidRequest("file: it was sent as text; send it as a file, with a filename", param="file")
        elif name in self._fields:
            raise InvalidRequest(f"{name}: it was sent twice", param=name)
        else:
            self._field, self._value = name, b""

    def add(self, data: bytes) -> None:
        """Some of that part."""
        if self._field is None:
            self._file_bytes += len(data)
            if self._file_bytes > self._most_bytes:
                raise BodyTooLarge(f"file: it is over {self._most_bytes} bytes", param="file")
            self._into(data)
            return
        self._value += data
        if len(self._value) > _LONGEST_VALUE:
            raise InvalidRequest(f"{self._field}: it is over {_LONGEST_VALUE} bytes", param=self._field)

    def end(self) -> None:
        """That part is whole."""
        if self._field is None:
            return
        try:
            self._fields[self._field] = self._value.decode()
        except UnicodeDecodeError:
            raise InvalidRequest(f"{self._field}: it is not UTF-8", param=self._field) from None

    def whole(self) -> Form:
        """The form, of which nothing more comes."""
        if self._filename is None:
            raise InvalidRequest("file: it is missing; send it as a part of multipart/form-data", param="file")
        if not self._file_bytes:
            raise InvalidRequest("file: it is empty", param="file")
        return Form(self._fields, self._filename, self._file_bytes)

    def _begin_file(self, name: str, filename: str) -> None:
        if name != "file":
            raise InvalidRequest(f"{name}: it was sent as a file; only `file` is one", param=name)
        if self._filename is not None:
            raise InvalidRequest("file: it was sent twice; a request uploads one file", param="file")
        # Some clients send a path. Only its end is the file's name.
        last = filename.replace("\\", "/").rpartition("/")[2]
        if not last.isprintable() or not 0 < len(last.encode(errors="replace")) <= _LONGEST_FILENAME:
            raise InvalidRequest(
                f"file: its filename must be 1 to {_LONGEST_FILENAME} bytes of printable UTF-8", param="file"
            )
        self._filename, self._field = last, None
