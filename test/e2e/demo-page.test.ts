import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(executablePath);
if (!found)
  console.warn(`skipped: no Chromium at ${executablePath}; set CHROMIUM to run the tests of the demo page`);

// Skipped on a machine without a browser; LINKSPAN_REQUIRE_BROWSER makes that a failure (CI).
describe.skipIf(!found && process.env.LINKSPAN_REQUIRE_BROWSER === undefined)(
  "the demo page in Chromium",
  () => {
    let platform: RunningPlatform;
    let browser: Browser;
    let page: Page;
    let folder: string;

    beforeAll(async () => {
      platform = await startTestPlatform();
      folder = await mkdtemp(join(tmpdir(), "linkspan-demo-"));
      browser = await chromium.launch({
        executablePath,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
      page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
      page.setDefaultTimeout(20_000);
    });
    afterAll(async () => {
      await browser?.close();
      await platform?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const shot = async (name: string) => {
      if (process.env.SCREENSHOTS !== undefined)
        await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
    };

    it("connects a vendor through the hosted flow and comes back with its files", async () => {
      await page.goto(platform.url);
      await shot("1-home");
      await page.getByRole("button", { name: "Connect Dropbox" }).click();
      await shot("2-connect");
      await page
        .getByRole("button", { name: /continue|connect|dropbox/i })
        .first()
        .click();
      await shot("3-login");
      await page.getByRole("button", { name: /continue|sign in|log in|next/i }).click();
      await shot("4-consent");
      await page.getByRole("button", { name: /allow/i }).click();
      await page.getByText("Dropbox is connected.").waitFor();
      await shot("5-files");
      expect(await page.locator("tbody tr").count()).toBeGreaterThan(0);
    });

    it("makes a folder, uploads into it and downloads the same bytes", async () => {
      const name = "grüße & co #1.txt";
      await writeFile(join(folder, name), "from the browser");
      await page.getByLabel("New folder").fill("From Chromium");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByRole("link", { name: "From Chromium" }).click();
      await page.getByLabel("Upload a file").setInputFiles(join(folder, name));
      await page.getByRole("button", { name: "Upload", exact: true }).click();
      await page.getByText("is uploaded.").waitFor();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name }).click(),
      ]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe("from the browser");
      expect(download.suggestedFilename()).toBe(name);
    });

    it("shows the token being refreshed after the vendor ended it", async () => {
      expect(await page.locator("#refreshed").textContent()).toBe("–");
      platform.clock.advance(120_000);
      await page.getByRole("button", { name: "Let the vendor end it early" }).click();
      await page.getByText("this listing came with a new one").waitFor();
      expect(await page.locator("#refreshed").textContent()).toMatch(/UTC/);
      await shot("6-refreshed");
    });

    it("shows the stand-in's console, whose buttons work in a browser", async () => {
      const account = page.url();
      await page.goto(platform.demo.connectors.dropbox?.consoleUrl ?? "");
      await page.getByRole("button", { name: "Behave again" }).click();
      await page.getByText("Done: Behave again").waitFor();
      await page.goto(account);
    });

    it("has labels for every field, one heading, and is not wider than a telephone's screen", async () => {
      expect(await page.locator("h1").count()).toBe(1);
      const unnamed = await page
        .locator("input:not([type=hidden]), select, textarea")
        .evaluateAll(
          (fields) =>
            fields.filter((field) => (field as unknown as { labels: { length: number } }).labels.length === 0)
              .length,
        );
      expect(unnamed).toBe(0);
      await page.setViewportSize({ width: 390, height: 800 });
      await shot("7-telephone");
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
      await page.setViewportSize({ width: 1100, height: 800 });
    });

    it("disconnects", async () => {
      await page.getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("is disconnected.").waitFor();
    });

    it("refuses a form that another site sends", async () => {
      const answer = await fetch(`${platform.url}/connect`, {
        method: "POST",
        headers: { Origin: "https://evil.example", "Content-Type": "application/x-www-form-urlencoded" },
        body: "connector=dropbox",
      });
      expect(answer.status).toBe(403);
      await answer.body?.cancel();
    });

    it("shows the API's description, and can send a call from there", async () => {
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(`${platform.url}/api-docs`);
      const hubs = page.locator(".opblock").first();
      await hubs.getByRole("button").first().click();
      await hubs.getByRole("button", { name: "Try it out" }).click();
      await hubs.getByRole("button", { name: "Execute" }).click();
      const answer = hubs.locator(".live-responses-table");
      await expect.poll(() => answer.textContent()).toContain('"key": "documents"');
      await shot("api-docs");
      expect(problems).toEqual([]);
    });
  },
);
