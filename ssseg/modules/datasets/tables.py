"""Class tables as they stand at the top of a data set's file: names and colours as text, for long ones."""


def class_names(text: str) -> list[str]:
    """Split names that semicolons separate; names may hold commas and blanks, line ends count as blanks."""
    return [" ".join(name.split()) for name in text.split(";")]


def hex_colours(text: str) -> list[tuple[int, int, int]]:
    """Read colours (r, g, b) that are written as `rrggbb` and separated by blanks."""
    return [(code[0], code[1], code[2]) for code in map(bytes.fromhex, text.split())]
