import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * The MongoDB-wire server, on loopback only: {@code java -cp 'lib/*' Main.java <port> [<H2 file>]}.
 *
 * <p>Without a file it keeps everything in memory. With one it keeps it on disk, whole after a clean stop; a kill loses acknowledged writes.
 */
public class Main {

    /** What MongoDB 6.0 says of itself; PyMongo refuses servers that speak less than it knows, and the library's own newest is 5.0 with 8. */
    private static final class Six implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    }

    public static void main(String[] arguments) {
        AbstractMongoBackend backend = arguments.length > 1 ? new H2Backend(arguments[1]) : new MemoryBackend();
        backend.version(new Six());
        MongoServer server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        try {
            server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
        } catch (Exception e) { // Netty throws BindException without declaring it
            e.printStackTrace();
            System.exit(1); // its threads would keep a server without a port alive
        }
    }
}
