// A browser lets no page that was opened from a file read another, so a search there shows no summaries.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What the theme leaves out, and who cannot see or point needs: levels of headings, names of what there is twice, and a
// place in the order of the tab key for what can be scrolled.
document.addEventListener("DOMContentLoaded", () => {
  for (const each of document.querySelectorAll(".caption[role=heading]")) each.setAttribute("aria-level", "2");
  const names = { "sidebar-drawer": "pages", "toc-drawer": "on this page" };
  for (const [name, words] of Object.entries(names))
    for (const each of document.querySelectorAll(`aside.${name}`)) each.setAttribute("aria-label", words);
  for (const each of document.querySelectorAll("pre, .table-wrapper")) each.tabIndex = 0;
  for (const each of document.querySelectorAll("th.head")) if (!each.textContent.trim()) each.outerHTML = "<td></td>";
  // A signature's parameters are set as a list of definitions without anything defined.
  for (const each of document.querySelectorAll("dt.sig > dl")) each.role = "presentation";
});
