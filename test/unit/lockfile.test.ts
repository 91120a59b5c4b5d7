import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  /** Part of another package's archive, whose integrity covers this package too. */
  readonly inBundle?: boolean;
}

const { packages }: { packages: Record<string, Locked> } = JSON.parse(
  readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
);
const fetched = Object.entries(packages).filter(
  ([path, entry]) => path !== "" && entry.link !== true && entry.inBundle !== true,
);

it("the lockfile has the integrity of every package that is fetched, also of other systems' binaries", () => {
  expect(fetched.length).toBeGreaterThan(300);
  const without = fetched.filter(
    ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""),
  );
  expect(without.map(([path]) => path)).toEqual([]);
});
