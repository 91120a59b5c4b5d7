import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { standInConnectors } from "../../local/stand-ins.ts";
import { isAlive, until } from "./functions.ts";
import { compileCache } from "./run-admin.ts";

const bin = path.join(import.meta.dirname, "..", "..", "bin");

let folder: string;
let running: Run[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-command-"));
});
afterEach(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  running = [];
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

function start(environment: Readonly<Record<string, string>> = {}, command = "local.ts"): Run {
  const child = spawn(process.execPath, [path.join(bin, command)], {
    // With a separate folder for temporary files the test sees which files are left.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LINKSPAN_DATA: data(),
      PORT: "0",
      TMPDIR: folder,
      NODE_COMPILE_CACHE: compileCache,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const run = { child, out: () => out, err: () => err, ended };
  running.push(run);
  return run;
}

const data = () => path.join(folder, "data");
const ready = async (run: Run): Promise<string> => {
  await until(() => /Linkspan ready: \S+/.test(run.out()) || run.child.exitCode !== null, "ready", 20_000);
  const url = /Linkspan ready: (\S+)/.exec(run.out())?.[1];
  if (url === undefined) throw new Error(`it did not start: ${run.err()}`);
  return url;
};

/** The processes that a process has started, and those that these have started. */
function descendants(of: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    try {
      const [, after = ""] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ");
      parents.set(Number(name), Number(after.split(" ")[1]));
    } catch {
      // The process has ended meanwhile.
    }
  }
  const below = (pid: number): number[] =>
    [...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(of);
}

it.each(["SIGINT", "SIGTERM"] as const)("stops at once at %s and leaves nothing behind", async (signal) => {
  const run = start();
  const url = await ready(run);
  for (const route of ["/elements/api-v2/elements", "/elements/api-v2/instances", "/elements/api-v2/files"]) {
    await fetch(url + route).then((answer) => answer.arrayBuffer());
  }
  const children = descendants(run.child.pid ?? 0);
  expect(children.length).toBeGreaterThanOrEqual(3);
  expect(existsSync(path.join(data(), "platform.json"))).toBe(true);

  const before = performance.now();
  run.child.kill(signal);
  // npm may do so when it passes on a signal that the terminal has already sent.
  run.child.kill(signal);
  expect(await run.ended).toBe(0);
  expect(performance.now() - before).toBeLessThan(2000);
  await until(() => !children.some(isAlive), "every process is gone", 2000);
  await expect(fetch(url)).rejects.toThrow();
  expect(readdirSync(data())).not.toContain("platform.json");
  expect(readdirSync(data())).not.toContain("platform.pid");
  expect(readdirSync(folder).filter((name) => name.startsWith("linkspan-lambda-"))).toEqual([]);
});

it("leaves no function running when it is killed itself", async () => {
  const run = start();
  const url = await ready(run);
  await fetch(`${url}/elements/api-v2/elements`).then((answer) => answer.arrayBuffer());
  const children = descendants(run.child.pid ?? 0);
  expect(children.length).toBeGreaterThanOrEqual(1);
  run.child.kill("SIGKILL");
  await run.ended;
  await until(() => !children.some(isAlive), "every process is gone", 5000);
  // The next start takes the lock that the killed process left.
  await ready(start());
});

it("also stops while it is starting", async () => {
  const run = start();
  await until(() => existsSync(path.join(data(), "platform.pid")), "it has begun");
  run.child.kill("SIGINT");
  expect(await run.ended).toBe(0);
  expect(run.out()).toBe("");
  expect(readdirSync(data())).not.toContain("platform.pid");
  expect(readdirSync(folder).filter((name) => name.startsWith("linkspan-lambda-"))).toEqual([]);
});

it.each([
  "local.ts",
  // The command of `npm start`: it must print the line before it synthesizes.
  "start.ts",
])("%s prints one line when the port is in use, and exits with 1", async (command) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    const run = start({ PORT: String(port) }, command);
    expect(await run.ended).toBe(1);
    expect(run.err()).toBe(
      `Port ${port} is in use. Stop what uses it, or choose another: PORT=4001 npm start\n`,
    );
    expect(run.out()).toBe("");
    expect(existsSync(data())).toBe(false);
  } finally {
    server.close();
  }
});

it("start.ts says that the data folder is in use before it synthesizes, whatever the port", async () => {
  const first = start();
  await ready(first);
  const began = performance.now();
  const second = start({}, "start.ts");
  expect(await second.ended).toBe(1);
  expect(second.err()).toMatch(
    /^Linkspan could not start: another Linkspan \(process \d+\) uses .*; stop it, or choose another folder/,
  );
  expect(second.err().trim().split("\n")).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(5_000);
});

it.each([
  ["an invalid port", { PORT: "many" }, /PORT must be a number/],
  ["a vendors.json that is not JSON", {}, /vendors\.json is not valid JSON/],
])("prints one line about %s", async (name, environment, message) => {
  if (name.includes("vendors.json")) {
    mkdirSync(data());
    writeFileSync(path.join(data(), "vendors.json"), "{");
  }
  const run = start(environment);
  expect(await run.ended).toBe(1);
  expect(run.err()).toMatch(message);
  expect(run.err().trim().split("\n")).toHaveLength(1);
});

it("listens only on this machine, and answers only to its own names, on every port", async () => {
  const run = start();
  const url = await ready(run);
  await startFunctions(url);
  const pids = [run.child.pid ?? 0, ...descendants(run.child.pid ?? 0)];
  const found = listeners(pids);
  expect(found.filter(({ address }) => !address.startsWith("127."))).toEqual([]);
  // The ports of the API and the demo app, the front door, two stand-ins, and the Runtime API of each running function.
  expect(found.length).toBeGreaterThanOrEqual(6);
  for (const { port } of found)
    for (const path of [
      "/",
      "/elements/api-v2/elements",
      "/_control",
      "/2018-06-01/runtime/invocation/next",
    ]) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        request({ host: "127.0.0.1", port, path, headers: { Host: "evil.example" } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on("error", reject)
          .end();
      });
      expect([403, 421], `port ${port}, ${path}`).toContain(status);
    }
});

it("keeps running whatever another user of this machine sends to its ports", async () => {
  const run = start();
  const url = await ready(run);
  await startFunctions(url);
  const pids = [run.child.pid ?? 0, ...descendants(run.child.pid ?? 0)];
  const host = (port: number) => `Host: 127.0.0.1:${port}\r\n`;
  const requests: ((port: number) => string)[] = [
    () => "\u0016\u0003\u0001 no HTTP at all\r\n\r\n",
    (port) => `GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `POST /2018-06-01/runtime/init/error HTTP/1.1\r\n${host(port)}Content-Length: 2\r\n\r\n{}`,
    (port) =>
      `POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\n${host(port)}Content-Length: 9\r\n\r\nhalf`,
    (port) => `GET // HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `GET http://[ HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `GET /accounts/%E0%A4%A/%00?path=%ff HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `OPTIONS * HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `CONNECT evil.example:443 HTTP/1.1\r\n${host(port)}\r\n`,
    (port) => `GET / HTTP/1.1\r\n${host(port)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    (port) => `POST /connect HTTP/1.1\r\n${host(port)}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    (port) => `GET /callback/dropbox?code=${"x".repeat(20_000)} HTTP/1.1\r\n${host(port)}\r\n`,
    () => "GET / HTTP/1.0\r\n\r\n",
    (port) => `GET / HTTP/1.1\r\n${host(port)}${host(port)}\r\n`,
    (port) => `POST /_control/files HTTP/1.1\r\n${host(port)}Content-Length: 4\r\n\r\nnull`,
    (port) => `POST /_control/accounts HTTP/1.1\r\n${host(port)}Content-Length: 9999\r\n\r\n{`,
  ];
  for (const { port } of listeners(pids))
    await Promise.all(requests.map((text) => sendRaw(port, text(port))));
  await startFunctions(url);
  expect(run.child.exitCode).toBeNull();
  expect((await fetch(url)).status).toBe(200);
});

/** Makes calls that start three functions. */
async function startFunctions(url: string): Promise<void> {
  for (const route of ["/elements/api-v2/elements", "/elements/api-v2/instances", "/elements/api-v2/files"]) {
    const answer = await fetch(url + route);
    await answer.arrayBuffer();
    expect(answer.status).toBeLessThan(500);
  }
}

/** Sends the text, and closes the connection at the first answer. */
function sendRaw(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("error", () => undefined).on("close", () => resolve());
    socket.once("data", () => socket.destroy());
    socket.setTimeout(300, () => socket.resetAndDestroy());
  });
}

it("writes files that only this user can read, also in a folder that everybody can read", async () => {
  mkdirSync(data(), { mode: 0o755 });
  chmodSync(data(), 0o755);
  const run = start();
  const url = await ready(run);
  await startFunctions(url);
  const seen: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, entry.name);
      const isOpen = (statSync(at).mode & 0o077) !== 0;
      seen.push(entry.name);
      expect(isOpen, at).toBe(false);
      if (entry.isDirectory() && isOpen) walk(at);
    }
  };
  walk(data());
  expect(seen).toEqual(
    expect.arrayContaining(["demo.json", "dynamodb", "kms", "s3", "identities.json", "vendors"]),
  );
  for (const name of readdirSync(path.join(data(), "dynamodb")))
    expect(statSync(path.join(data(), "dynamodb", name)).mode & 0o077, name).toBe(0);
});

it("writes the files that apps and operators need, readable only by this user", async () => {
  const run = start();
  const url = await ready(run);
  const demo = JSON.parse(readFileSync(path.join(data(), "demo.json"), "utf8")) as Record<string, unknown>;
  expect(demo).toEqual({
    baseUrl: `${url}/elements/api-v2`,
    organizationSecret: expect.stringMatching(/^lso_[\w-]{43}$/),
    userSecret: expect.stringMatching(/^lsu_[\w-]{43}$/),
    connectors: Object.fromEntries(
      standInConnectors.map((key) => [
        key,
        {
          clientId: expect.any(String),
          clientSecret: expect.any(String),
          callbackUrls: expect.arrayContaining([`${url}/elements/api-v2/oauth/callback/${key}`]),
          consoleUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+/),
        },
      ]),
    ),
  });
  for (const file of ["demo.json", "platform.json", "identities.json"]) {
    expect(statSync(path.join(data(), file)).mode & 0o077).toBe(0);
  }
  const folders = readdirSync(data(), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name)).toEqual(expect.arrayContaining(["dynamodb", "s3", "kms"]));
  for (const { name } of folders) expect(statSync(path.join(data(), name)).mode & 0o077, name).toBe(0);
});

/** Listening TCP sockets of these processes, as Linux lists them. */
function listeners(pids: readonly number[]): { address: string; port: number }[] {
  const inodes = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    ),
  );
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
        if (state !== "0A" || !inodes.has(inode)) return [];
        const [hex = "", port = ""] = local.split(":");
        const bytes = (hex.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16));
        return { address: hex.length === 8 ? bytes.join(".") : hex, port: Number.parseInt(port, 16) };
      }),
  );
}
