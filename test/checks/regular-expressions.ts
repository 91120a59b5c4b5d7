/**
 * Part of `npm run check`: no regular expression of ours may take a time that grows faster than the text it is tried on. In
 * `functions/`, which strangers call, no expression may be made of a text that is known only at run time. There are no
 * exceptions: rewrite an expression that is found here, or replace it by a few lines of code.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { check } from "recheck";
import { type Expression, readExpressions } from "./read-expressions.ts";

const FILES = "{functions,lib,local,bin}/**/*.ts";
/**
 * Expressions known to be good, by the checker's version: the first run takes about ten seconds, each later run less than
 * one.
 */
const CACHE = "node_modules/.cache/linkspan/regular-expressions.json";
/** For one expression; an expression that is not decided within this time is refused. */
const TIMEOUT_MS = 60_000;

const { version } = JSON.parse(readFileSync("node_modules/recheck/package.json", "utf8")) as {
  version: string;
};
const good = new Set(readCache());
const problems: string[] = [];
const expressions: Expression[] = [];
for (const file of globSync(FILES)) {
  const found = readExpressions(file, readFileSync(file, "utf8"));
  expressions.push(...found.expressions);
  if (file.startsWith("functions/")) problems.push(...found.made);
}
for (const { at, source, flags } of expressions) {
  const name = `/${source}/${flags}`;
  if (good.has(name)) continue;
  const verdict = await check(source, flags, { timeout: TIMEOUT_MS });
  if (verdict.status === "safe") good.add(name);
  else if (verdict.status === "vulnerable") {
    problems.push(`${at}: ${name} is not linear: ${verdict.complexity.summary} on ${verdict.attack.pattern}`);
  } else problems.push(`${at}: ${name} could not be judged (${verdict.error.kind}); write it more simply`);
}
mkdirSync(dirname(CACHE), { recursive: true });
writeFileSync(CACHE, JSON.stringify({ version, good: [...good].sort() }));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${expressions.length} regular expressions are linear`);

function readCache(): readonly string[] {
  try {
    const cache = JSON.parse(readFileSync(CACHE, "utf8")) as { version: string; good: string[] };
    return cache.version === version ? cache.good : [];
  } catch {
    return [];
  }
}
