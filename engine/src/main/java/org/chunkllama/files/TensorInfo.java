package org.chunkllama.files;

import java.util.List;
import org.chunkllama.spi.DType;

/**
 * A tensor as its file states it.
 *
 * @param name as {@link org.chunkllama.model.WeightSource} calls it
 * @param storedName as the file calls it
 * @param type how values are stored
 * @param shape rows first (outputs, inputs); a vector has one extent
 * @param bytes in the file
 */
public record TensorInfo(
    String name, String storedName, DType type, List<Long> shape, long bytes) {}
