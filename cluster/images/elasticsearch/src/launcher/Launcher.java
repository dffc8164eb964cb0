package kit;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** Starts the node of the published archives; their own launcher is not published. Ends in order on SIGTERM. */
public final class Launcher {
    private static final String PREFIX = "ES_SETTING_";
    private static final Pattern DOTTED = Pattern.compile("[a-z0-9_]+\\.[a-z0-9_]+");
    private static final Pattern PREFIXED = Pattern.compile("ES_SETTING(?:_{1,2}[A-Z]+)+");

    public static void main(String[] words) throws Exception {
        Environment environment = environment(Path.of(System.getProperty("es.path.home")));
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(environment.settings()));
        LogConfigurator.configure(environment, true);
        Node node = new Node(environment, plugins(environment));
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node, closed)));
        node.start();
        closed.await();
    }

    private static Environment environment(Path home) {
        LogConfigurator.registerErrorListener();
        Settings base = Settings.builder().put(Environment.PATH_HOME_SETTING.getKey(), home.toString()).build();
        return InternalSettingsPreparer.prepareEnvironment(base, settings(), home.resolve("config"), () -> System.getenv("HOSTNAME"));
    }

    /** Settings from the environment, as the original image takes them: a variable with a dot in its name, or ES_SETTING_NODE_NAME. */
    private static Map<String, String> settings() {
        Map<String, String> found = new HashMap<>();
        System.getenv().forEach((name, value) -> {
            if (!value.isEmpty() && DOTTED.matcher(name).lookingAt()) {
                found.put(name, value);
            } else if (!value.isEmpty() && PREFIXED.matcher(name).matches()) {
                found.put(dotted(name.substring(PREFIX.length())), value);
            }
        });
        return found;
    }

    /** NODE_NAME is node.name; two underscores are one. */
    private static String dotted(String name) {
        return name.replace("__", "\0").replace('_', '.').replace('\0', '_').toLowerCase(Locale.ROOT);
    }

    private static PluginsLoader plugins(Environment environment) {
        return PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
    }

    private static void close(Node node, CountDownLatch closed) {
        try {
            node.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
        closed.countDown();
    }
}
