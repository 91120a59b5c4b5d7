import { describe, expect, it } from "vitest";
import { allConnectors } from "../../../functions/connectors/files-in-source.ts";

const YEAR_MS = 365 * 86_400_000;

describe.each(allConnectors().map((each) => [each.key, each] as const))("the facts of %s", (_, connector) => {
  const sources = [...(connector.sources ?? []), ...(connector.oauth2.sources ?? [])];

  it("have sources, each with the day on which it was checked", () => {
    expect(sources).not.toEqual([]);
    for (const { url, checked, facts } of sources) {
      expect(new URL(url).protocol).toBe("https:");
      expect(new Date(`${checked}T00:00:00Z`).toISOString()).toContain(checked);
      expect(Date.parse(checked)).toBeLessThanOrEqual(Date.now());
      expect(facts.length).toBeGreaterThan(3);
      if (Date.now() - Date.parse(checked) > YEAR_MS) console.warn(`${connector.key}: look at ${url} again`);
    }
  });

  it("include the source of its OAuth", () => {
    expect(sources.some(({ facts }) => facts.includes("endpoints"))).toBe(true);
  });
});
