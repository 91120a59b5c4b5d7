import type { Instance, Sealed } from "../../instances/instance.ts";
import type { RescueRecord, RescueStore } from "../../instances/rescue-store.ts";

/**
 * The rescue records of one organization. Their keys do not name the organization, so each record is read;
 * mostly there is none.
 */
export async function* rescueRecordsOf(
  rescue: Pick<RescueStore, "list" | "read">,
  organizationId: string,
): AsyncGenerator<{ readonly key: string; readonly record: RescueRecord }> {
  let after: string | undefined;
  do {
    const page = await rescue.list(after === undefined ? {} : { after });
    for (const key of page.keys) {
      const record = await rescue.read(key);
      if (record !== undefined && organizationOf(record) === organizationId) yield { key, record };
    }
    after = page.next;
  } while (after !== undefined);
}

function organizationOf(record: RescueRecord): string {
  if (record.kind === "pending") return record.pending.organizationId;
  return record.kind === "new" ? record.instance.organizationId : record.organizationId;
}

/** All sealed values in a record. */
export function sealedIn(record: RescueRecord): Sealed[] {
  switch (record.kind) {
    case "refresh":
      return [record.grant];
    case "sign-in":
      return [record.grant, record.changes?.sealedConfiguration].filter((sealed) => sealed !== undefined);
    case "new":
      return sealedOf(record.instance);
    case "pending": {
      const { grant, newInstance } = record.pending;
      const { sealedConfiguration } = newInstance ?? {};
      return sealedConfiguration === undefined ? [grant] : [grant, sealedConfiguration];
    }
  }
}

/** All sealed values in an instance. */
export function sealedOf({ grant, replacedGrants = [], sealedConfiguration }: Instance): Sealed[] {
  const replaced = replacedGrants.map((each) => each.grant);
  return [grant, ...replaced, ...(sealedConfiguration === undefined ? [] : [sealedConfiguration])];
}
