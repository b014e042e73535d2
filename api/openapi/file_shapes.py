"""What the API says of files: OpenAI's objects, as it takes and shows them."""

from api.openapi.shape import Shape, flag, listing, maybe, record, text, whole, word
from api.upload import LONGEST_S, SHORTEST_S, UPLOADED

# Uploaded, and made by the router itself.
PURPOSES = (*UPLOADED, "batch_output")

FILE = Shape(
    "File",
    record(
        "A file. Times are Unix seconds.",
        {
            "id": text(),
            "object": word(["file"]),
            "bytes": whole(),
            "created_at": whole(),
            "expires_at": maybe(whole("When it is removed; null for never.")),
            "filename": text(),
            "purpose": word(PURPOSES),
            "status": word(["processed"], "A file is there when it is whole."),
            "status_details": maybe(text()),
        },
    ),
)

FILES = Shape(
    "Files",
    record(
        "A page of files.",
        {
            "object": word(["list"]),
            "data": listing(FILE),
            "first_id": maybe(text()),
            "last_id": maybe(text()),
            "has_more": flag(),
        },
    ),
)

DELETED_FILE = Shape(
    "DeletedFile",
    record("A file that is no more.", {"id": text(), "object": word(["file"]), "deleted": flag()}),
)

UPLOAD = {
    **record(
        "A form with one file.",
        {
            "purpose": word(UPLOADED, "What it is for."),
            "file": {"type": "string", "format": "binary", "description": "The file itself, with its filename."},
            "expires_after[anchor]": word(["created_at"], "From when the time counts; needed with the next."),
            "expires_after[seconds]": {
                **whole("How long it is kept; 30 days if left out."),
                "minimum": SHORTEST_S,
                "maximum": LONGEST_S,
            },
        },
        optional=("expires_after[anchor]", "expires_after[seconds]"),
    ),
    "dependentRequired": {
        "expires_after[anchor]": ["expires_after[seconds]"],
        "expires_after[seconds]": ["expires_after[anchor]"],
    },
}
