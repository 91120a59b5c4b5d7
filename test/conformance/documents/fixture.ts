import { expect, it } from "vitest";
import { findDocumentsVendor } from "../../../functions/core/documents/vendors/index.ts";
import type { StandIn } from "../../../local/vendors/stand-in.ts";
import type { App } from "../../e2e/app.ts";
import type { RunningPlatform } from "../../platform/start.ts";
import type { HubClient, HubError, HubRequest } from "../hub-client.ts";
import type { Speciality, VendorTraits } from "../vendors/traits.ts";

/** The account for these tests; each vendor has one. */
export const LOGIN = "conformance@example.com";
export const ISO_SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  readonly detail: HubError["detail"];
  readonly headers: Headers;
}

/** What the tests of one connector share; it is filled before the first test runs. */
export interface Fixture {
  readonly connector: string;
  readonly traits: VendorTraits;
  /** False: a real vendor, which no test can put into a state. */
  readonly isStandIn: boolean;
  platform: RunningPlatform;
  app: App;
  vendor: StandIn;
  hub: HubClient;
  instanceId: number;
  /** The account's email address. */
  email: unknown;
  /** Path of a folder for each test; the folder does not exist yet. */
  home: string;
  /** Sends a call that must be refused, and checks that the answer has the API's shape of errors. */
  readonly refusal: (method: string, path: string, request?: HubRequest) => Promise<Refusal>;
}

export function newFixture(connector: string, traits: VendorTraits, isStandIn = true): Fixture {
  const on = {
    connector,
    traits,
    isStandIn,
    async refusal(method: string, path: string, request: HubRequest = {}) {
      const { status, json, headers } = await (on as Fixture).hub.call<HubError>(method, path, request);
      expect(json.requestId).toEqual(expect.any(String));
      expect(json.message).toEqual(expect.any(String));
      return { status, code: json.code, field: json.detail?.field, detail: json.detail, headers };
    },
  };
  return on as unknown as Fixture;
}

/** A name that is hard to carry, or a plain one if the vendor's rules refuse it. */
export async function hardName(
  { connector }: Pick<Fixture, "connector">,
  hard: string,
  plain: string,
): Promise<string> {
  const vendor = await findDocumentsVendor(connector);
  return vendor?.names?.refuse?.(hard) === undefined ? hard : plain;
}

/** `it`, for a stand-in that has all of these; else the test is skipped. */
export function itWith(
  on: Pick<Fixture, "traits" | "isStandIn">,
  ...specialities: readonly Speciality[]
): typeof it {
  return it.runIf(on.isStandIn && specialities.every((each) => on.traits.has.includes(each))) as typeof it;
}

/** Stands for a method of a stand-in that `itWith` has asked for. */
export function neverMissing(): never {
  throw new Error("the vendor's traits name a speciality that its stand-in lacks");
}
