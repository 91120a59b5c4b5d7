import type { Value, Where } from "../../../functions/core/documents/ceql.ts";

/** Formats an expression so that `parseWhere` returns the same expression. */
export function formatWhere(where: Where): string {
  switch (where.kind) {
    case "and":
    case "or":
      return where.terms
        .map((each) =>
          each.kind === "and" || each.kind === "or" ? `(${formatWhere(each)})` : formatWhere(each),
        )
        .join(` ${where.kind.toUpperCase()} `);
    case "compare":
      return `${where.field} ${where.operator} ${formatValue(where.value)}`;
    case "in":
      return `${where.field} IN (${where.values.map(formatValue).join(", ")})`;
    case "null":
      return `${where.field} IS ${where.negated ? "NOT " : ""}NULL`;
  }
}

function formatValue(value: Value): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
