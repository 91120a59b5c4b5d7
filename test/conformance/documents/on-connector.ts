import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StandIn } from "../../../local/vendors/stand-in.ts";
import { App } from "../../e2e/app.ts";
import { type RunningPlatform, startTestPlatform } from "../../platform/start.ts";
import { HubClient } from "../hub-client.ts";
import { traitsOf } from "../vendors/traits-of.ts";
import { LOGIN, newFixture } from "./fixture.ts";
import { describeHub } from "./hub.ts";

/** The same tests for every vendor of the hub: an app must not have to care at which vendor its user keeps the files. */
export function describeConnector(connector: string): void {
  describe(`the Documents hub on ${connector}`, () => {
    const on = newFixture(connector, traitsOf(connector));
    let count = 0;
    let platform: RunningPlatform | undefined;
    afterAll(() => platform?.close());

    beforeAll(async () => {
      platform = await startTestPlatform();
      const vendor: StandIn | undefined = platform.vendors[connector];
      if (vendor === undefined) throw new Error(`${connector} has no stand-in in local/vendors`);
      vendor.addAccount({ login: LOGIN, name: "Conny Formance", email: LOGIN });
      const app = new App(platform.demo);
      const { id, token } = await app.connect(connector, { login: LOGIN });
      Object.assign(on, { platform, app, vendor, instanceId: id, email: LOGIN });
      on.hub = new HubClient(platform.baseUrl, token);
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
}
