"""Texts that are no ids of the service."""

ODD_IDS = [
    *(
        "",
        " ",
        ".",
        "..",
        "a/b",
        "../a",
        "a b",
        "a\n",
        "\na",
        "a\r",
        "a\x00",
        "a\tb",
        "a\u2028b",
        "ä",
        "a%2F",
        "a?b",
        "a#b",
    ),
    *("$(id)", "`id`", "a;b", "a=b", "a'b", 'a"b', "a\\b", "a:b", "a@b", "a,b", "m1\nBASH_ENV=/tmp/x", "a" * 129),
]
