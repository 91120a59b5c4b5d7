import { beforeEach, describe, expect, inject, type TestContext } from "vitest";
import type { StandIn } from "../../../local/vendors/stand-in.ts";
import type { App } from "../../e2e/app.ts";
import type { RunningPlatform } from "../../platform/start.ts";
import { newFixture } from "../documents/fixture.ts";
import { describeHub } from "../documents/hub.ts";
import { traitsOf } from "../vendors/traits-of.ts";
import { PatientHub } from "./patient-hub.ts";

// The conformance suite against a vendor that it does not control. verify-vendor.ts runs this file; `npm test` does not.

const { connector, baseUrl, token, instanceId, folder, patienceMs } = inject("verification");
const on = newFixture(connector, { ...traitsOf(connector), base: folder, slowTests: false }, false);
const hub = new PatientHub(baseUrl, token, patienceMs);
let context: TestContext | undefined;
let count = 0;

/** An object of which only these members exist; a test that asks for another one is skipped. */
function only<T extends object>(members: Partial<T>): T {
  return new Proxy(members, {
    get(target, name) {
      if (name in target) return target[name as keyof T];
      if (context === undefined) throw new Error(`${String(name)} is used outside of a test`);
      return context.skip(`needs control over the vendor: ${String(name)}`);
    },
  }) as T;
}

Object.assign(on, {
  hub,
  instanceId,
  email: expect.stringContaining("@"),
  app: only<App>({}),
  platform: only<RunningPlatform>({ baseUrl }),
  vendor: only<StandIn>({
    addFile(_login, path, content) {
      if (!path.startsWith(`${folder}/`)) throw new Error(`${path} is not in ${folder}`);
      hub.prepare(() => hub.upload(path, content, { overwrite: true }));
    },
    clearFaults() {},
    clearRequests() {},
  }),
});

describe(`the Documents hub on the real ${connector}`, () => {
  beforeEach((current) => {
    context = current;
    on.home = `${folder}/test ${++count}`;
    return () => {
      context = undefined;
    };
  });

  describeHub(on);
});
