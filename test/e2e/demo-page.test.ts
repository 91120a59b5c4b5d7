import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

/** What is wrong with a page, in words; it runs in the browser. */
const PROBLEMS_OF_A_PAGE = `(() => {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) problems.push("wider than the window: " + root.scrollWidth);
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one heading");
  const shown = (element) => element.offsetParent !== null && element.getBoundingClientRect().width > 1;
  const controls = [...document.querySelectorAll("button, .button, input:not([type=hidden],[type=checkbox])")].filter(shown);
  const heights = new Set(controls.map((each) => Math.round(each.getBoundingClientRect().height)));
  if (heights.size > 1) problems.push("controls of heights " + [...heights].join(", "));
  for (const each of controls) {
    if (each.scrollWidth > each.clientWidth + 1) problems.push("cut: " + each.textContent);
    if (each.matches("input") && each.labels.length === 0) problems.push("no label: " + each.name);
  }
  const landmarks = "header, main, footer, nav, section[aria-label], script, style";
  for (const each of document.body.children) {
    if (!each.matches(landmarks)) problems.push("outside of landmarks: " + each.outerHTML.slice(0, 80));
  }
  return problems;
})()`;

/** A page of the hosted flow, not opened yet. */
async function newSession(platform: RunningPlatform): Promise<string> {
  const answer = await new App(platform.demo).platform<{ connectUrl: string }>("POST", "/connect/sessions", {
    elements: [{ key: "dropbox" }, { key: "googledrive" }],
    returnUrl: `${platform.url}/`,
    endUser: "user-1",
  });
  return answer.body.connectUrl;
}

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
      await page.getByRole("button", { name: "Connect Dropbox", exact: true }).click();
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
      await page.getByRole("link", { name: "From Chromium", exact: true }).click();
      await page.getByLabel("Upload a file").setInputFiles(join(folder, name));
      await page.getByRole("button", { name: "Upload", exact: true }).click();
      await page.getByText("is uploaded.").waitFor();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name, exact: true }).click(),
      ]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe("from the browser");
      expect(download.suggestedFilename()).toBe(name);
    });

    it("asks before it replaces a file, and before it deletes one", async () => {
      const file = join(folder, "ask.txt");
      const upload = async (content: string) => {
        await writeFile(file, content);
        await page.getByLabel("Upload a file").setInputFiles(file);
        await page.getByRole("button", { name: "Upload", exact: true }).click();
      };
      await upload("one");
      await page.getByText("ask.txt is uploaded.").waitFor();
      await upload("two");
      await page.getByRole("heading", { name: "Replace the file?" }).waitFor();
      await shot("ask-replace");
      await page.getByRole("link", { name: "Keep the old file" }).click();
      expect(await page.getByRole("link", { name: "ask.txt", exact: true }).count()).toBe(1);
      await upload("three");
      await page.getByRole("button", { name: "Replace" }).click();
      await page.getByText("ask.txt is replaced.").waitFor();
      await page.getByRole("link", { name: "Delete ask.txt" }).click();
      await shot("ask-delete");
      await page.getByRole("link", { name: "Keep it" }).click();
      await page.getByRole("link", { name: "Delete ask.txt" }).click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("ask.txt is deleted.").waitFor();
      expect(await page.getByRole("link", { name: "ask.txt", exact: true }).count()).toBe(0);
      // The notice is shown once, and a reload repeats nothing.
      await page.reload();
      expect(await page.locator(".notice").count()).toBe(0);
    });

    it("keeps its place when an action fails, and says what to do", async () => {
      const at = page.url();
      platform.vendors.dropbox?.fail({ endpoint: "api", status: 503, count: 3 });
      await page.getByLabel("New folder").fill("Never");
      await page.getByRole("button", { name: "Create" }).click();
      await page.locator(".notice.bad").first().waitFor();
      expect(await page.locator(".notice.bad").first().textContent()).toContain("try again");
      expect(page.url()).toBe(at);
      await shot("failed");
      platform.vendors.dropbox?.clearFaults();
      await page.reload();
      expect(await page.locator(".notice").count()).toBe(0);
    });

    it("shows whose account it is, and signs in to it again", async () => {
      const instance = page.url().split("?")[0] ?? "";
      await page.goto(platform.url);
      expect(await page.locator(".rows").textContent()).toContain("Ada Lovelace, ada@example.com");
      await shot("home-connected");
      platform.vendors.dropbox?.revokeGrants();
      platform.vendors.dropbox?.expireAccessTokens();
      platform.clock.advance(120_000);
      await page.getByRole("link", { name: /Ada Lovelace/ }).click();
      await page.getByText("The vendor has ended this connection.").waitFor();
      expect(await page.locator(".state").textContent()).toBe("Needs a new sign-in");
      await shot("needs-sign-in");
      const signIn = async (login: string, answer: RegExp) => {
        await page.getByRole("button", { name: "Sign in again" }).click();
        await page.getByRole("button", { name: /continue/i }).click();
        if ((await page.getByLabel("E-mail").count()) > 0) {
          await page.getByLabel("E-mail").fill(login);
          await page.getByRole("button", { name: "Sign in", exact: true }).click();
        }
        await page.getByRole("button", { name: answer }).click();
      };
      await signIn("ada@example.com", /cancel/i);
      await page.getByText("The connection is as it was.").waitFor();
      expect(await page.locator(".notice.bad").count()).toBe(1);
      await signIn("ada@example.com", /allow/i);
      await page.getByText("Dropbox is signed in again.").waitFor();
      expect(page.url().split("?")[0]).toBe(instance);
      expect(await page.locator(".state").textContent()).toBe("Working");
      expect(await page.locator("tbody tr").count()).toBeGreaterThan(0);
      await page.context().clearCookies({
        domain: new URL(platform.demo.connectors.dropbox?.consoleUrl ?? "").hostname,
        name: /^(?!demo_user)/,
      });
      await signIn("grace@example.com", /allow/i);
      await page.getByRole("heading", { name: "This is another account" }).waitFor();
      await shot("ask-other-account");
      await page.getByRole("link", { name: "Keep it as it was" }).click();
      expect(await page.locator(".lead").textContent()).toContain("Ada Lovelace");
    });

    it("takes going back for no error", async () => {
      const account = page.url();
      await page.goto(platform.url);
      await page.getByRole("button", { name: "Connect Google Drive" }).click();
      await page.getByRole("button", { name: "Not now, go back" }).click();
      await page.getByText("You went back without connecting an account.").waitFor();
      expect(await page.locator(".notice.bad, [role=alert]").count()).toBe(0);
      await shot("went-back");
      await page.goto(account);
    });

    it("copies the lines of a code by a button", async () => {
      const account = page.url();
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: platform.url });
      await page.goto(`${platform.url}/callback/dropbox?code=the-code&state=ls_x`);
      await shot("callback");
      await page.getByRole("button", { name: "Copy" }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const copied = await page.evaluate("navigator.clipboard.readText()");
      expect(copied).toBe(await page.locator("#command").textContent());
      expect(copied).toContain("the-code");
      await page.goto(account);
    });

    it("shows the token being refreshed after the vendor ended it", async () => {
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
      await shot("console");
      await page.getByRole("link", { name: "Back to the demo app" }).click();
      expect(page.url()).toBe(`${platform.url}/`);
      await page.goto(account);
    });

    it("fits each page into 320 pixels, with controls of one height, landmarks and labels", {
      timeout: 180_000,
    }, async () => {
      const account = page.url();
      const session = await newSession(platform);
      const pages = {
        home: platform.url,
        account,
        callback: `${platform.url}/callback/dropbox?code=${"x".repeat(60)}&state=ls_x`,
        refused: `${platform.url}/callback/dropbox?error=access_denied`,
        delete: `${account.split("?")[0]}/remove?path=%2F&target=%2F${"long-name-".repeat(20)}&kind=file`,
        missing: `${platform.url}/nothing`,
        claim: `${platform.url}/?session=cs_unknown&claim=abc`,
        connect: session,
        console: platform.demo.connectors.dropbox?.consoleUrl ?? "",
        "api-docs": `${platform.url}/api-docs`,
      };
      for (const [name, url] of Object.entries(pages)) {
        await page.goto(url);
        if (name === "api-docs") await page.locator(".opblock").first().waitFor();
        for (const scheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme: scheme });
          for (const width of [320, 390, 1100]) {
            await page.setViewportSize({ width, height: 800 });
            await shot(`${name}-${scheme}-${width}`);
            const problems = (await page.evaluate(PROBLEMS_OF_A_PAGE)) as string[];
            // Swagger UI's own controls are not ours.
            const ours =
              name === "api-docs" ? problems.filter((each) => each.startsWith("outside")) : problems;
            expect([name, width, ours]).toEqual([name, width, []]);
          }
        }
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 1100, height: 800 });
      await page.goto(account);
    });

    it("disconnects", async () => {
      await page.getByRole("link", { name: "Disconnect" }).click();
      await shot("ask-disconnect");
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
