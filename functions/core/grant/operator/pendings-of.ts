import type { PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { PendingLists, PendingSignIns } from "../../instances/pending-store.ts";

/** All pending sign-ins of an organization in their current state, including those that are ending. */
export async function* pendingsOf(
  pendings: PendingLists & Pick<PendingSignIns, "get">,
  organizationId: string,
): AsyncGenerator<PendingSignIn> {
  let after: string | undefined;
  do {
    const page = await pendings.listPendings(organizationId, after === undefined ? {} : { after });
    for (const key of page.items) {
      const { value } = await pendings.get(key);
      if (value !== undefined) yield value;
    }
    after = page.next;
  } while (after !== undefined);
}
