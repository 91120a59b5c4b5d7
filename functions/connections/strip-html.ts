/**
 * Removes HTML tags from a text that people will see. Removes a tag without `>` up to the end of the text,
 * because the page around the text may contain the `>`. Keeps a `<` that does not begin a tag.
 */
export function stripHtml(value: string): string {
  const lastEnd = value.lastIndexOf(">");
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const begin = value.indexOf("<", at);
    if (begin < 0) return [...kept, value.slice(at)].join("").trim();
    kept.push(value.slice(at, begin));
    if (begin < lastEnd) {
      at = value.indexOf(">", begin) + 1;
      continue;
    }
    // https://html.spec.whatwg.org/#tag-open-state
    if (/[a-z/!?]/i.test(value.charAt(begin + 1))) return kept.join("").trim();
    kept.push("<");
    at = begin + 1;
  }
}
