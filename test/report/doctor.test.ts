// Tests of the page that says what a machine has and lacks for linecheck.
import { describe, expect, it } from 'vitest';
import { doctorJson, doctorView, type Finding } from '../../src/report/doctor.js';

const style = { width: 80, colour: false } as const;
const tool = {
  name: 'linecheck',
  version: '0.1.0',
  node: '24.0.0',
  platform: 'linux',
  tier: 1,
  can: ['errno'],
} as const;
const good: Finding = { what: 'Node', state: 'good', found: 'version 24.0.0' };
const lacking: Finding = {
  ...{ what: 'koffi', state: 'lacking', found: 'koffi is not installed', costs: 'Rejecters stay unnamed.' },
  remedy: 'npm install koffi',
} as const;

describe('the doctor', () => {
  it('says what is missing, what that costs, and how to get it', () => {
    const text = doctorView(tool, [good, lacking], style);
    expect(text).toContain('Tier 1');
    expect(text).toMatch(/^good +Node: version 24\.0\.0\.$/m);
    expect(text).toMatch(/^lacks +koffi: koffi is not installed\. Rejecters stay unnamed\.$/m);
    expect(text).toMatch(/^How to get what is missing\n {2}koffi +npm install koffi$/m);
  });

  it('says so where nothing is missing', () => {
    expect(doctorView(tool, [good], style)).toContain('\nNothing is missing.\n');
  });

  it('has all of it in its JSON', () => {
    const findings = [good, lacking];
    expect(JSON.parse(doctorJson(tool, findings))).toEqual({ schema: 'linecheck/doctor/v1', tool, findings });
  });
});
