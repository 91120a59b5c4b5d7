import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, expect } from "vitest";
import { type SeenAnswer, seenAnswers } from "../../local/api-gateway/seen-answers.ts";
import { undocumented } from "./answer-checker.ts";

// Compares every answer that the API gives to any test with docs/openapi.json.

const found = new Set<string>();
const look = (seen: unknown): void => {
  const { method, url, status } = seen as SeenAnswer;
  for (const problem of undocumented(seen as SeenAnswer))
    found.add(`${method} ${url} answered ${status}: ${problem}`);
};
subscribe(seenAnswers.name, look);

afterAll(() => {
  unsubscribe(seenAnswers.name, look);
  expect([...found].slice(0, 20), "answers that docs/openapi.json does not have").toEqual([]);
});
