import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * Judges certification paths with Java's PKIX validator, one a line, until its input ends.
 *
 * <p>A line holds, parted by tabs: the OID of the extended key usage, the trust anchor, the path
 * (leaf first, parted by commas), the CRLs (likewise); all in base64 DER. The answer is a line that
 * begins with "accepted" or "refused". Nothing is fetched: com.sun.security.enableCRLDP and
 * ocsp.enable are off unless someone turns them on.
 */
public final class JudgePaths {
    private static final CertificateFactory FACTORY = factory();

    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(judge(line.split("\t", -1)).replaceAll("\\s+", " "));
            System.out.flush();
        }
    }

    private static String judge(String[] fields) {
        try {
            var anchor = new TrustAnchor(certificate(decode(fields[1])), null);
            var parameters = new PKIXParameters(Set.of(anchor));
            parameters.setRevocationEnabled(true);
            parameters.addCertStore(crls(fields[3]));
            var target = new X509CertSelector();
            target.setExtendedKeyUsage(Set.of(fields[0]));
            parameters.setTargetCertConstraints(target);
            CertPathValidator.getInstance("PKIX").validate(
                FACTORY.generateCertPath(path(fields[2])), parameters);
            return "accepted";
        } catch (CertPathValidatorException refusal) {
            return "refused " + refusal.getReason() + ": " + refusal.getMessage();
        } catch (GeneralSecurityException | IOException | IllegalArgumentException unreadable) {
            return "refused unreadable: " + unreadable;
        }
    }

    private static List<X509Certificate> path(String field) throws GeneralSecurityException {
        var path = new ArrayList<X509Certificate>();
        for (String part : field.split(",")) {
            path.add(certificate(decode(part)));
        }
        return path;
    }

    private static CertStore crls(String field) throws GeneralSecurityException {
        var crls = new ArrayList<Object>();
        for (String part : field.isEmpty() ? new String[0] : field.split(",")) {
            crls.add(FACTORY.generateCRL(decode(part)));
        }
        return CertStore.getInstance("Collection", new CollectionCertStoreParameters(crls));
    }

    private static X509Certificate certificate(ByteArrayInputStream der)
            throws GeneralSecurityException {
        return (X509Certificate) FACTORY.generateCertificate(der);
    }

    private static ByteArrayInputStream decode(String base64) {
        return new ByteArrayInputStream(Base64.getDecoder().decode(base64));
    }

    private static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (GeneralSecurityException absent) {
            throw new IllegalStateException(absent);
        }
    }
}
