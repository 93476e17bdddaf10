/** Health checks: when to probe, how, and what the answers mean. */
export { HealthMonitors } from "./monitors.ts";
