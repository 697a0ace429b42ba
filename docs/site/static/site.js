// A browser lets no page that was opened from a file read another, so a search there shows no summaries.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
