import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentsConnectors, findDocumentsVendor } from "../../functions/core/documents/vendors/index.ts";
import { App } from "../e2e/app.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { HubClient } from "./hub-client.ts";
import { measuredCalls, type Place } from "./vendor-calls/measured-calls.ts";
import { keyOf, measurementsOf, supports, vendorsPage } from "./vendor-calls/page.ts";
import { traitsOf } from "./vendors/traits-of.ts";

let platform: RunningPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform?.close());

describe.each(documentsConnectors)("the calls to %s", (connector) => {
  const counts: Record<string, number> = {};
  // Two connectors may share the accounts of one stand-in.
  const LOGIN = `counted.${connector}@example.com`;

  it("are as many as its file says", { timeout: 120_000 }, async () => {
    const vendor = platform.vendors[connector];
    if (vendor === undefined) throw new Error(`${connector} has no stand-in in local/vendors`);
    vendor.addAccount({ login: LOGIN, name: "Count Ed", email: LOGIN });
    const { token } = await new App(platform.demo).connect(connector, { login: LOGIN });
    const hub = new HubClient(platform.baseUrl, token);
    // What is read once for an instance, or once in a process, is not counted.
    await hub.ok("GET", "/folders/contents", { query: { path: "/" } });
    const has = await supports(connector);
    let number = 0;
    for (const [name, forms] of Object.entries(measuredCalls)) {
      if (!has(name)) continue;
      for (const [form, prepare] of Object.entries(forms)) {
        const folder = `${traitsOf(connector).base}/calls/${++number}`;
        await hub.ok("POST", "/folders", { json: { path: folder } });
        const place: Place = {
          hub,
          folder,
          addFile(file) {
            vendor.addFile(LOGIN, `${folder}/${file}`, "content");
            return `${folder}/${file}`;
          },
        };
        const call = await prepare(place);
        vendor.clearRequests();
        await call();
        const requests = vendor
          .requests()
          .filter(({ endpoint }) => endpoint === "api" || endpoint === "page");
        counts[keyOf(name, form)] = requests.length;
      }
    }
    const text = `${JSON.stringify(counts, null, 2)}\n`;
    await expect(text, "npm run vendors:table writes the new numbers").toMatchFileSnapshot(
      measurementsOf(connector),
    );
  });

  it("are one for a list by path where the vendor finds paths, and at most one for each name elsewhere", async () => {
    const vendor = await findDocumentsVendor(connector);
    const depth = `${traitsOf(connector).base}/calls/1/f`.split("/").length - 1;
    const isFound = vendor?.addressing === "id" && vendor.byPath !== undefined;
    const most = vendor?.addressing === "path" ? 1 : isFound ? 2 : depth + 1;
    expect(counts["folders.contents, by path"]).toBeGreaterThan(0);
    expect(counts["folders.contents, by path"]).toBeLessThanOrEqual(most);
  });

  it("that the vendor cannot serve have a reason and the vendor's page", async () => {
    const has = await supports(connector);
    const lacks = traitsOf(connector).lacks ?? [];
    const named = lacks.flatMap(({ calls }) => calls);
    expect(named.toSorted()).toEqual(
      Object.keys(measuredCalls)
        .filter((name) => !has(name))
        .toSorted(),
    );
    for (const { page } of lacks) expect(page).toMatch(/^https:\/\//);
  });
});

it("docs/documents-vendors.md is made from them", async () => {
  const page = readFileSync(new URL("../../docs/documents-vendors.md", import.meta.url), "utf8");
  expect(page, "npm run vendors:table writes the page").toBe(await vendorsPage());
});
