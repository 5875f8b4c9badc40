import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * A proxyless client in grpc-java: makes a call for each line that it reads, and prints a line with its outcome.
 *
 * <p>Client TARGET METHOD, with the bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG
 */
public final class Client {
  private static final long CALL_DEADLINE_SECONDS = 30;

  /** Passes bytes on as they are, so that there is no message type to generate. */
  private static final class Raw implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static String call(ManagedChannel channel, MethodDescriptor<byte[], byte[]> method) {
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(CALL_DEADLINE_SECONDS, TimeUnit.SECONDS);
    try {
      byte[] name = ClientCalls.blockingUnaryCall(channel, method, options, new byte[0]);
      return "OK " + new String(name, StandardCharsets.UTF_8);
    } catch (StatusRuntimeException error) {
      Status status = error.getStatus();
      return status.getCode() + " " + status.getDescription();
    }
  }

  public static void main(String[] args) throws IOException {
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.newBuilder(new Raw(), new Raw())
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(args[1].substring(1))
            .build();
    ManagedChannel channel =
        Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).build();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (lines.readLine() != null) {
      System.out.println(call(channel, method).strip().replaceAll("\\s+", " "));
    }
    channel.shutdownNow();
  }
}
