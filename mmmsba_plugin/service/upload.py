"""Save what a client sends, within a limit."""

from pathlib import Path

from fastapi import HTTPException, Request


async def save(request: Request, path: Path, *, max_bytes: int) -> None:
    """Save the body of a request, of which no more is read than may be.

    Args:
        request: The request.
        path: File to write.
        max_bytes: Size that the body may have.

    Raises:
        HTTPException: It has more (413).
    """
    # Without a stated length, only what has come says how much it is.
    num_bytes = int(request.headers.get("content-length", 0))
    with path.open("wb") as file:
        stream = request.stream()
        while num_bytes <= max_bytes and (chunk := await anext(stream, None)) is not None:
            file.write(chunk)
            num_bytes = max(num_bytes, file.tell())
    if num_bytes > max_bytes:
        raise HTTPException(413, f"a clip may have {max_bytes} bytes; cut it, or raise the limit")
