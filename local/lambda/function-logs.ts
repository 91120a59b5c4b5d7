/** One event that a function wrote, in the form of its log group. */
export interface LogLine {
  readonly function: string;
  readonly text: string;
}

/** The last log lines of one function. */
export interface FunctionLogs {
  write(chunk: string): void;
  /** Oldest first; an event with several lines is one string. */
  lines(): readonly string[];
  /** The logged objects in CloudWatch's embedded metric format, oldest first. */
  metrics(): readonly Readonly<Record<string, unknown>>[];
}

const maxLines = 2000;
/**
 * CloudWatch Logs accepts 1 MB per event:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
 */
const maxLineLength = 1024 * 1024;

export function functionLogs(name: string, onLine: (line: LogLine) => void): FunctionLogs {
  let lines: string[] = [];
  return {
    write(chunk) {
      for (const part of chunk.split("\n")) {
        if (part === "") continue;
        // The runtime writes \r in place of the line ends of an event, so that an event is one line.
        const text = part.replaceAll("\r", "\n").slice(0, maxLineLength);
        lines.push(text);
        onLine({ function: name, text });
      }
      if (lines.length > maxLines * 2) lines = lines.slice(-maxLines);
    },
    lines: () => lines.slice(-maxLines),
    metrics: () =>
      lines
        .slice(-maxLines)
        .map(embeddedMetrics)
        .filter((metrics) => metrics !== undefined),
  };
}

/**
 * CloudWatch finds the object in a text event, whatever text comes before it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function embeddedMetrics(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf("{");
  if (start < 0 || !line.includes('"_aws"')) return undefined;
  try {
    return JSON.parse(line.slice(start)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
