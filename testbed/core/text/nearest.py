"""What somebody who misspelt a word may have meant."""


def nearest(word: str, words: list[str]) -> str:
    """``did you mean 'x'?`` for a misspelt word, or the list of all the words there are."""
    import difflib  # not by who never errs

    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "there are: " + ", ".join(sorted(words))
