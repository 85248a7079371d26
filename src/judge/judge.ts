// The judge: a whole run in, verdicts and results out. Rules are in the files beside; here they are put in order.
import type { CheckRecord, Judged, RunRecord } from '../contract/verdict.js';
import { accepts } from './acceptance.js';
import { required } from './alternatives.js';
import { answered, denied } from './answer.js';
import { outturn, type Outturn } from './expectation.js';
import { wordsOf, type Finding } from './finding.js';
import { intercepted } from './interception.js';
import { issuerWarnings } from './issuers.js';
import { hostsOf } from './liveness.js';
import { refusedByProxy, silentProxy } from './proxy.js';
import { refused } from './refusal.js';
import { sceneOf, type Scene } from './scene.js';
import { sentences } from './sentences.js';
import { sent, silent } from './silence.js';
import { stranger } from './stranger.js';
import { unable, unasked } from './unasked.js';

/**
 * Judges every check of a run with the whole run in view, in the order given. Pure and total: any record that the types
 * allow gets a verdict.
 */
export function judge(run: RunRecord): readonly Judged[] {
  const hosts = hostsOf(run.checks);
  const issuers = issuerWarnings(run.checks);
  const found = run.checks.map((record) => {
    const scene = sceneOf(record, hosts);
    const finding = withWarning(secondLook(record, findingOf(scene)), issuers.get(record));
    const { result, warning } = outturn(record.check, finding);
    const { verdict, certain } = finding;
    const how = 'how' in finding ? { how: finding.how } : {};
    const accepted = accepts(run.accept, { ...how, result }, record.check);
    return { record, check: record.check, scene, finding, result, warning, verdict, certain, accepted };
  });
  const demanded = required(found);
  return found.map(({ scene, finding, result, warning, accepted }, index) =>
    judged(
      scene,
      finding,
      { result, ...(warning === undefined ? {} : { warning }) },
      accepted,
      demanded[index] === true,
    ),
  );
}

function findingOf(scene: Scene): Finding {
  const { deciding } = scene;
  if (deciding === undefined) return unasked(scene);
  const { outcome } = deciding;
  switch (outcome.kind) {
    case 'answered':
      return intercepted(scene, outcome) ?? answered(scene, deciding, outcome);
    case 'turned-away':
      return intercepted(scene, outcome) ?? denied(scene, deciding, outcome);
    case 'stranger':
      return intercepted(scene, outcome) ?? stranger(scene, outcome);
    case 'refused':
      return refusedByProxy(scene, outcome) ?? refused(scene, outcome);
    case 'silent':
      return silentProxy(scene) ?? silent(scene, outcome);
    case 'sent':
      return intercepted(scene, outcome) ?? sent(scene);
    case 'unable':
      return unable(scene, outcome);
  }
}

/** What rests on silence and was to be asked again is no more than likely while it was not. */
function secondLook(record: CheckRecord, finding: Finding): Finding {
  if (record.undiagnosed !== true || finding.verdict === 'open' || finding.verdict === 'denied') return finding;
  const seenItself = finding.proof.some((proof) => !['silence', 'errno', 'port', 'path', 'neighbours'].includes(proof));
  const hint = 'It was not asked again: the time for a second look was used up (--diagnose gives more).';
  return {
    ...finding,
    certain: seenItself ? finding.certain : 'likely',
    hint: finding.hint === undefined ? hint : `${finding.hint} ${hint}`,
  };
}

function withWarning(finding: Finding, warning: string | undefined): Finding {
  return warning === undefined ? finding : { ...finding, warnings: [...(finding.warnings ?? []), warning] };
}

function judged(scene: Scene, finding: Finding, outturned: Outturn, accepted: boolean, demanded: boolean): Judged {
  const { record, deciding } = scene;
  const { summary, advice } = sentences(scene, finding);
  const resolution = record.resolution?.ok === true ? { resolveMs: record.resolution.ms } : {};
  // Keys that are always there stand first: in front of them a spread costs ten times the time and four times the memory.
  return {
    record,
    required: demanded,
    certain: finding.certain,
    proof: finding.proof,
    accepted,
    summary,
    facts: finding.facts ?? {},
    timings: { ...resolution, ...deciding?.timings },
    ...wordsOf(finding),
    ...outturned,
    ...(finding.by === undefined ? {} : { by: finding.by }),
    ...(finding.after === undefined ? {} : { after: finding.after }),
    ...(finding.direction === undefined ? {} : { direction: finding.direction }),
    ...(advice === undefined ? {} : { advice }),
  };
}
