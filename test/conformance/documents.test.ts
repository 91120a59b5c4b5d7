import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { documentsConnectors } from "../../functions/core/documents/vendors/index.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { App } from "../e2e/app.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { LOGIN, newFixture } from "./documents/fixture.ts";
import { describeHub } from "./documents/hub.ts";
import { HubClient } from "./hub-client.ts";
import { traitsOf } from "./vendors/traits-of.ts";

let platform: RunningPlatform;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform?.close());

/** The same tests for every vendor of the hub: an app must not have to care at which vendor its user keeps the files. */
describe.each(documentsConnectors)("the Documents hub on %s", (connector) => {
  const on = newFixture(connector, traitsOf(connector));
  let count = 0;
  let own: RunningPlatform | undefined;
  afterAll(() => own?.close());

  beforeAll(async () => {
    if (on.traits.sharesStandIn) own = await startTestPlatform();
    const at = own ?? platform;
    const vendor: StandIn | undefined = at.vendors[connector];
    if (vendor === undefined) throw new Error(`${connector} has no stand-in in local/vendors`);
    vendor.addAccount({ login: LOGIN, name: "Conny Formance", email: LOGIN });
    const app = new App(at.demo);
    const { id, token } = await app.connect(connector, { login: LOGIN });
    Object.assign(on, { platform: at, app, vendor, instanceId: id, email: LOGIN });
    on.hub = new HubClient(at.baseUrl, token);
  });
  beforeEach(() => {
    on.vendor.clearFaults();
    on.vendor.switches.reset();
    on.vendor.clearRequests();
    on.home = `${on.traits.base}/test ${++count}`;
  });

  it("declares what its stand-in has beside plain files and folders", () => {
    expect(on.traits.has.toSorted()).toEqual(Object.keys(on.vendor.places).toSorted());
  });

  describeHub(on);
});
