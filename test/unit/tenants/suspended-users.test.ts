import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tenantRecords } from "../../../functions/aws/tenants/records.ts";
import { type TenantAdmin, tenantAdministration } from "../../../functions/core/tenants/administration.ts";
import type { TenantRecords } from "../../../functions/core/tenants/ports.ts";
import { isOfSuspendedUser, MOST_LISTED } from "../../../functions/core/tenants/suspended-users.ts";
import { openTables } from "./open-tables.ts";

let tables: Awaited<ReturnType<typeof openTables>>;
let records: TenantRecords;
let admin: TenantAdmin;
let marked: string[];
let organizationId: string;

beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(async () => {
  marked = [];
  records = tenantRecords({ client: tables.documents, tableName: "tenants" });
  admin = administration(records);
  organizationId = (await admin.createOrganization({ name: "Acme" })).organization.id;
});

function administration(of: TenantRecords): TenantAdmin {
  return tenantAdministration({
    records: of,
    keys: { generateDataKey: async () => ({ wrapped: new Uint8Array() }) },
    vault: { seal: async () => new Uint8Array() },
    now: () => 0,
    markInstances: async (_, userId) => {
      marked.push(userId);
    },
  });
}

const aUser = async (): Promise<string> =>
  (await admin.createUser({ organizationId, email: "a@acme.example", firstName: "", lastName: "" })).user.id;
const setStatus = (userId: string, status: "active" | "suspended") =>
  admin.setStatus({ organizationId, userId }, status);
const listed = async () => (await records.organization(organizationId))?.suspendedUsers;
/** The organization as the previous version left it. */
const forgetList = () =>
  tables.documents.send(
    new UpdateCommand({
      TableName: "tenants",
      Key: { id: `organization#${organizationId}`, item: "organization" },
      UpdateExpression: "REMOVE #value.suspendedUsers",
      ExpressionAttributeNames: { "#value": "value" },
    }),
  );
const fill = async () => {
  await forgetList();
  await records.beginSuspendedUsers(
    organizationId,
    Array.from({ length: MOST_LISTED }, (_, index) => `other-${index}`),
  );
};

describe("a user who is suspended", () => {
  it("is on the organization's list until resumed, however often either command is repeated", async () => {
    const [ann, bob, eve] = [await aUser(), await aUser(), await aUser()];
    expect(await listed()).toEqual([]);
    for (const user of [ann, bob, eve, bob]) await setStatus(user, "suspended");
    expect(await listed()).toEqual([ann, bob, eve]);
    for (const user of [bob, bob]) await setStatus(user, "active");
    expect(await listed()).toEqual([ann, eve]);
    expect((await records.user(organizationId, ann))?.status).toBe("suspended");
    expect((await records.user(organizationId, bob))?.status).toBe("active");
  });

  it("is found in the list, without a read", async () => {
    const ann = await aUser();
    await setStatus(ann, "suspended");
    const organization = await records.organization(organizationId);
    if (organization === undefined) throw new Error("it is there");
    const noRead = { user: () => Promise.reject(new Error("a read")) };
    expect(await isOfSuspendedUser(noRead, organization, { userId: ann })).toBe(true);
    expect(await isOfSuspendedUser(noRead, organization, { userId: "bob" })).toBe(false);
    expect(await isOfSuspendedUser(noRead, organization, { userId: "bob", userSuspended: true })).toBe(true);
  });

  it("is found by the user's own item when the organization has no list yet", async () => {
    const [ann, bob] = [await aUser(), await aUser()];
    await forgetList();
    await records.updateUser(organizationId, ann, { status: "suspended" });
    const organization = await records.organization(organizationId);
    if (organization === undefined) throw new Error("it is there");
    expect(organization).not.toHaveProperty("suspendedUsers");
    expect(await isOfSuspendedUser(records, organization, { userId: ann })).toBe(true);
    expect(await isOfSuspendedUser(records, organization, { userId: bob })).toBe(false);
    expect(await isOfSuspendedUser(records, organization, { userId: "nobody" })).toBe(false);
  });

  it("before the list existed is added by the next command", async () => {
    const [ann, bob, eve] = [await aUser(), await aUser(), await aUser()];
    await forgetList();
    await records.updateUser(organizationId, ann, { status: "suspended" });
    await records.updateUser(organizationId, eve, { status: "suspended" });
    await setStatus(bob, "suspended");
    expect((await listed())?.toSorted()).toEqual([ann, bob, eve].toSorted());
    await forgetList();
    await setStatus(ann, "active");
    expect((await listed())?.toSorted()).toEqual([bob, eve].toSorted());
  });

  it("has the instances marked when the list is full, and unmarked when resumed", async () => {
    await fill();
    const ann = await aUser();
    await setStatus(ann, "suspended");
    expect(await listed()).toHaveLength(MOST_LISTED);
    expect(marked).toEqual([ann]);
    await setStatus(ann, "active");
    expect(marked).toEqual([ann, ann]);
  });

  it("is reported as an error when the marking cannot be queued", async () => {
    await fill();
    const ann = await aUser();
    const { markInstances: _, ...rest } = {
      records,
      keys: { generateDataKey: async () => ({ wrapped: new Uint8Array() }) },
      vault: { seal: async () => new Uint8Array() },
      now: () => 0,
      markInstances: undefined,
    };
    const without = tenantAdministration(rest);
    await expect(without.setStatus({ organizationId, userId: ann }, "suspended")).rejects.toThrow("no queue");
  });

  it.each(["suspended", "active"] as const)(
    "has the status of the later of two simultaneous commands, when that one says %s",
    async (last) => {
      const ann = await aUser();
      const first = last === "active" ? "suspended" : "active";
      let others = 0;
      const between: TenantRecords = {
        ...records,
        // Just before the first operator's list is written, another operator finishes a command.
        addSuspendedUser: async (...args) => {
          if (others++ === 0) await setStatus(ann, last);
          return await records.addSuspendedUser(...args);
        },
        removeSuspendedUser: async (...args) => {
          if (others++ === 0) await setStatus(ann, last);
          return await records.removeSuspendedUser(...args);
        },
      };
      if (first === "active") await setStatus(ann, "suspended");
      await administration(between).setStatus({ organizationId, userId: ann }, first);
      expect(others).toBeGreaterThan(0);
      const { status } = (await records.user(organizationId, ann)) ?? {};
      expect(status).toBe(last);
      expect(await listed()).toEqual(last === "suspended" ? [ann] : []);
    },
  );

  it("is on the list, together with many others at the same time", async () => {
    const users = await Promise.all(Array.from({ length: 8 }, aUser));
    await Promise.all(users.map((user) => setStatus(user, "suspended")));
    expect((await listed())?.toSorted()).toEqual(users.toSorted());
    await Promise.all(users.slice(0, 5).map((user) => setStatus(user, "active")));
    expect((await listed())?.toSorted()).toEqual(users.slice(5).toSorted());
  });

  it("must exist", async () => {
    await expect(setStatus("nobody", "suspended")).rejects.toMatchObject({ status: 404 });
    expect(await listed()).toEqual([]);
  });
});
