/** A name beside a taken one: `a.txt`, `a (1).txt`, `a (2).txt`; a folder's number stands at its end. */
export function numberedName(name: string, count: number, isFolder: boolean): string {
  if (count === 0) return name;
  const dot = isFolder ? -1 : name.lastIndexOf(".");
  const stem = dot <= 0 ? name : name.slice(0, dot);
  return `${stem} (${count})${name.slice(stem.length)}`;
}
