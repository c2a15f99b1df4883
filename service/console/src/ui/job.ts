// A long task of the service: begun, asked how far it has come, cancelled. It goes on when the page is left, and is found again there.
import { onMounted, onScopeDispose, ref, type Ref } from "vue";
import { api, ask, told, type Schemas } from "../api/client";

export type Job = Schemas["JobTold"];

const PAUSE = 700;
const GOING = ["waiting", "running"];
/** Tasks among which the one of this place is looked for. */
const LATEST = 50;

export interface Work {
  job: Ref<Job | null>;
  trouble: Ref<string>;
  /** Asked for and not yet begun. */
  starting: Ref<boolean>;
  begin: (start: () => Promise<Job>) => Promise<void>;
  cancel: () => Promise<void>;
}

export const going = (job: Job | null): boolean => job !== null && GOING.includes(job.state);

/** The tasks of a kind, on one draft or on none; the newest is taken up again: what goes on, and what came of it. */
export function working(kind: Job["kind"], draft: string | null = null): Work {
  const job = ref<Job | null>(null);
  const trouble = ref("");
  const starting = ref(false);
  let timer = 0;
  let left = false;

  async function begin(start: () => Promise<Job>): Promise<void> {
    job.value = null;
    starting.value = true;
    await hear(start);
    starting.value = false;
  }

  async function hear(get: () => Promise<Job>): Promise<void> {
    clearTimeout(timer);
    try {
      job.value = await get();
      trouble.value = job.value.error ?? "";
    } catch (error) {
      trouble.value = told(error);
    }
    if (going(job.value) && !left) timer = window.setTimeout(() => hear(look), PAUSE);
  }

  async function resume(): Promise<void> {
    const { jobs } = await ask(api.GET("/v1/rulesets/jobs", { params: { query: { limit: LATEST } } }));
    const mine = jobs.find((one) => one.kind === kind && one.draft === draft);
    if (mine && mine.state !== "cancelled" && !job.value && !starting.value) await hear(() => ask(api.GET("/v1/rulesets/jobs/{job_id}", params(mine.id))));
  }

  const params = (id: string) => ({ params: { path: { job_id: id } } });
  const look = () => ask(api.GET("/v1/rulesets/jobs/{job_id}", params(job.value!.id)));
  const cancel = () => hear(() => ask(api.DELETE("/v1/rulesets/jobs/{job_id}", params(job.value!.id))));
  onMounted(() => resume().catch((error) => (trouble.value = told(error))));
  onScopeDispose(() => {
    left = true;
    clearTimeout(timer);
  });
  return { job, trouble, starting, begin, cancel };
}
