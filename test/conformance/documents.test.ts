import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { documentsConnectors } from "../../functions/core/documents/vendors/index.ts";

// A file for each vendor, so that the vendors are tested at the same time.
it.each(documentsConnectors)("the conformance suite asks %s", (connector) => {
  expect(existsSync(new URL(`./${connector}.test.ts`, import.meta.url))).toBe(true);
});
