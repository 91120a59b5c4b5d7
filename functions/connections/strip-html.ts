/**
 * Takes HTML tags out of a text that people will see. A tag without `>` is removed up to the end of the text, since the page
 * around the text may supply the `>`. A `<` that begins no tag stays.
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
