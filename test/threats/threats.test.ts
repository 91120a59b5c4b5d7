import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { documentWithTables } from "./table.ts";
import { threats } from "./threats.ts";

const root = new URL("../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");
const times = (text: string, part: string): number => text.split(part).length - 1;

/** OWASP API Security Top 10, 2023: https://owasp.org/API-Security/editions/2023/en/0x11-t10/ */
const owasp = Array.from({ length: 10 }, (_, index) => `OWASP API${index + 1}`);
/**
 * The attacks of RFC 9700 section 4 that can be made on a client and on its stored data. Attacks on only an authorization
 * server or a resource server concern the vendor: docs/security.md says so.
 */
const rfc9700 = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 17].map((section) => `RFC 9700 4.${section}`);

describe("the threat table", () => {
  it.each(threats.map((row) => [row.id, row] as const))("%s has its guard, where the row says", (_, row) => {
    const { guard, takenOut } = row;
    expect(existsSync(new URL(guard.file, root)), guard.file).toBe(true);
    const text = read(guard.file);
    expect(text, `${guard.file} has no ${guard.name}`).toContain(guard.name);
    expect(times(text, takenOut.find), `what is taken out of ${guard.file}`).toBe(1);
    expect(takenOut.put).not.toBe(takenOut.find);
  });

  it.each(threats.map((row) => [row.id, row] as const))("%s has its test, by title", (_, { test }) => {
    expect(existsSync(new URL(test.file, root)), test.file).toBe(true);
    const quoted = [JSON.stringify(test.name), `'${test.name}'`, `\`${test.name}\``];
    const text = read(test.file);
    expect(
      quoted.some((each) => text.includes(each)),
      `${test.file} has no test "${test.name}"`,
    ).toBe(true);
  });

  it("has each row once", () => {
    const ids = threats.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it.each([...owasp, ...rfc9700])("has a row for %s", (source) => {
    const covered = threats.filter(({ from }) =>
      from.some((each) => each === source || each.startsWith(`${source}.`)),
    );
    expect(covered.length).toBeGreaterThan(0);
  });

  it("is the same in docs/security.md", () => {
    const text = read("docs/security.md");
    expect(text, "run npm run threats:table").toBe(documentWithTables(text));
  });
});
