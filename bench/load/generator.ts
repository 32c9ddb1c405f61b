import { randomFillSync } from 'node:crypto';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { Histogram } from './histogram.ts';
import type { LoadPlan, LoadReport } from './plan.ts';
import { type HttpAnswer, ResponseReader } from './response-reader.ts';

const READ_BUFFER = 64 * 1024;
const MAX_SAMPLES = 5;
/** A server that refuses or drops this many connections in a run is not there. */
const MAX_RECONNECTS = 1_000;

export interface Generator {
  /** Opens the connections, warms up, counts, and resolves when the plan's time is over or `stop` was called. */
  run(onCounting: () => void): Promise<LoadReport>;
  stop(): void;
}

/** Closed-loop load: every connection sends its next request when its answer is complete. */
export function createGenerator(plan: LoadPlan): Generator {
  const histogram = new Histogram();
  const samples: string[] = [];
  let failures = 0;
  let counting = false;
  let running = true;
  let reconnects = 0;
  let cursor = 0;
  const expected = plan.expect.bodyIncludes === null ? null : Buffer.from(plan.expect.bodyIncludes);
  const templates = plan.requests.map((request) => Buffer.from(request));
  const sockets = new Set<net.Socket>();
  let finish: (() => void) | undefined;

  function fault(what: string): void {
    if (!counting) {
      if (samples.length < MAX_SAMPLES) samples.push(`warm-up: ${what}`);
      return;
    }
    failures++;
    if (samples.length < MAX_SAMPLES) samples.push(what);
  }

  function problemOf(answer: HttpAnswer, varied: Buffer | null): string | undefined {
    const { status, body } = answer;
    if (status !== plan.expect.status) return `status ${status}: ${body.toString('latin1', 0, 300)}`;
    if (expected !== null && !body.includes(expected)) return `unexpected body: ${body.toString('latin1', 0, 300)}`;
    if (plan.expect.echo && varied !== null && !body.includes(varied)) return 'the answer belongs to another request';
    return undefined;
  }

  function nextRequest(): Buffer {
    const template = templates[cursor];
    cursor = cursor + 1 === templates.length ? 0 : cursor + 1;
    if (template === undefined) throw new RangeError('a plan without requests');
    return template;
  }

  function connect(): void {
    const reader = new ResponseReader();
    let sentAt = 0;
    let inFlight = false;
    let ownCopy: Buffer | null = null;

    const socket = net.connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BUFFER),
        callback: (length, buffer) => {
          receive(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    sockets.add(socket);

    function variedPart(): Buffer | null {
      return ownCopy === null ? null : ownCopy.subarray(ownCopy.length - plan.varyLast);
    }

    function send(): void {
      if (!running) {
        socket.end();
        return;
      }
      let request = nextRequest();
      if (plan.varyLast > 0) {
        ownCopy = Buffer.from(request);
        randomFillSync(ownCopy, ownCopy.length - plan.varyLast);
        request = ownCopy;
      }
      inFlight = true;
      sentAt = performance.now();
      socket.write(request);
    }

    function receive(chunk: Buffer): void {
      let answer: HttpAnswer | undefined;
      try {
        answer = reader.push(chunk);
      } catch (error) {
        fault(String(error));
        inFlight = false;
        socket.destroy();
        return;
      }
      if (answer === undefined) return;
      inFlight = false;
      const problem = problemOf(answer, variedPart());
      if (problem !== undefined) fault(problem);
      else if (counting) histogram.record((performance.now() - sentAt) * 1000);
      if (!answer.keepAlive) {
        socket.destroy();
        return;
      }
      if (plan.thinkMs > 0) setTimeout(send, plan.thinkMs);
      else send();
    }

    socket.on('connect', send);
    socket.on('error', (error) => {
      inFlight = false;
      if (running) fault(String(error));
    });
    socket.on('close', () => {
      sockets.delete(socket);
      if (!running) return;
      if (inFlight) fault('connection closed before the answer');
      if (++reconnects > MAX_RECONNECTS) finish?.();
      else setTimeout(() => running && connect(), 10);
    });
  }

  return {
    async run(onCounting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      finish = resolve;
      for (let index = 0; index < plan.connections; index++) connect();
      const warm = setTimeout(() => {
        counting = true;
        startedAt = performance.now();
        startedCpu = process.cpuUsage();
        onCounting();
        if (plan.durationMs !== null) timer = setTimeout(resolve, plan.durationMs);
      }, plan.warmUpMs);
      let startedAt = performance.now();
      let startedCpu = process.cpuUsage();
      let timer: NodeJS.Timeout | undefined;
      await promise;
      clearTimeout(warm);
      clearTimeout(timer);
      const seconds = (performance.now() - startedAt) / 1000;
      const cpu = process.cpuUsage(startedCpu);
      counting = false;
      running = false;
      for (const socket of sockets) socket.destroy();
      return {
        answers: histogram.count,
        failures,
        samples,
        seconds,
        rate: histogram.count / seconds,
        latencyMs: {
          p50: histogram.quantile(0.5) / 1000,
          p95: histogram.quantile(0.95) / 1000,
          p99: histogram.quantile(0.99) / 1000,
          max: histogram.max / 1000,
        },
        generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
      };
    },
    stop() {
      finish?.();
    },
  };
}
