import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a bundle that a cold start reads: `index.mjs`, the files that it imports at once, and theirs. */
export function filesAtStart(folder: string): Set<string> {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const source = readFileSync(join(folder, file), "utf8");
    for (const match of source.matchAll(/(?:^|;)(?:import|\} from|import[^;"]* ?from) ?"\.\/([^"]*)";?/gm))
      visit(match[1] as string);
  };
  visit("index.mjs");
  return found;
}
