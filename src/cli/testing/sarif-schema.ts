import { z } from 'zod';

/** What of SARIF 2.1.0 lint writes, strictly, and what code scanners ask for. */
const message = z.strictObject({ text: z.string().min(1) });
const level = z.enum(['error', 'warning', 'note', 'none']);

const rule = z.strictObject({
  id: z.string().min(1),
  name: z.string().regex(/^[A-Z][A-Za-z0-9]*$/),
  shortDescription: message,
  fullDescription: message,
  help: z.strictObject({ text: z.string().min(1), markdown: z.string().min(1) }),
  properties: z.strictObject({ tags: z.array(z.string()) }),
});

const region = z
  .strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1), endLine: z.int().min(1), endColumn: z.int().min(1) })
  .refine(({ startLine, startColumn, endLine, endColumn }) => endLine > startLine || endColumn >= startColumn, 'ends before it starts');

/** A URI reference without a scheme, or a file URI. */
const artifactLocation = z.strictObject({
  uri: z.string().regex(/^(?:file:\/\/\/)?[A-Za-z0-9\-._~%!$&'()*+,;=:@/]+$/),
  uriBaseId: z.string().optional(),
});

const result = z.strictObject({
  ruleId: z.string(),
  ruleIndex: z.int().min(0),
  level,
  message,
  locations: z
    .array(
      z.strictObject({
        physicalLocation: z.strictObject({ artifactLocation, region }),
        logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string(), kind: z.string() })).optional(),
      }),
    )
    .length(1),
  partialFingerprints: z.record(z.string(), z.string().length(32)),
  properties: z.record(z.string(), z.unknown()).optional(),
});

export const sarifSchema = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z
        .strictObject({
          tool: z.strictObject({
            driver: z.strictObject({ name: z.literal('palisade'), semanticVersion: z.string(), rules: z.array(rule) }),
          }),
          columnKind: z.literal('utf16CodeUnits'),
          invocations: z
            .array(
              z.strictObject({
                executionSuccessful: z.boolean(),
                toolExecutionNotifications: z.array(z.strictObject({ level, message })).optional(),
              }),
            )
            .length(1),
          results: z.array(result),
        })
        .refine(
          ({ tool, results }) => results.every(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId),
          'a result points to another rule',
        ),
    )
    .length(1),
});
