// java -cp JARS EventRuler.java RULES EVENTS SECONDS: patterns and events, one to a line; prints one line of JSON.
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

public class EventRuler {
  public static void main(String[] args) throws Exception {
    List<String> rules = Files.readAllLines(Path.of(args[0]));
    List<String> events = Files.readAllLines(Path.of(args[1]));
    long measured = (long) (Double.parseDouble(args[2]) * 1e9);
    Machine machine = new Machine();
    for (int at = 0; at < rules.size(); at += 1) machine.addRule("r" + at, rules.get(at));
    long matches = 0;
    for (String event : events.subList(0, Math.min(events.size(), 2_000))) matches += machine.rulesForJSONEvent(event).size();
    double perEvent = (double) matches / Math.min(events.size(), 2_000);
    run(machine, events, measured / 2); // warm-up
    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long from = system.getProcessCpuTime();
    long done = run(machine, events, measured);
    double seconds = (system.getProcessCpuTime() - from) / 1e9;
    System.out.println("{\"rate\":" + done / seconds + ",\"matchesPerEvent\":" + perEvent + "}");
  }

  private static long run(Machine machine, List<String> events, long nanos) throws Exception {
    long until = System.nanoTime() + nanos;
    long done = 0;
    while (System.nanoTime() < until) {
      for (int n = 0; n < 10; n += 1) {
        machine.rulesForJSONEvent(events.get((int) (done % events.size())));
        done += 1;
      }
    }
    return done;
  }
}
